"""How well hardware cost is known: trained networks with what synthesis makes of them, and errors against both."""
