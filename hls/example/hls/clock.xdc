create_clock -name ap_clk -period 5.000 [get_ports ap_clk]
