"""The gradient flow of gradflow's experiments, integrated by other programs, to measure beside it."""
