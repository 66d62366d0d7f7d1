"""What the gateway costs: `python -m benchmarks` prints it, as ratios of one run.

Machines differ and are noisy, so every figure stands beside something well known that was
measured in the same run, in turns. No test asserts a timing.
"""
