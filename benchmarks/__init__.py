"""What is measured beside the tests; every module is one command, its results are committed beside it."""
