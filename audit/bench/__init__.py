"""Measurements of the product on this machine: ``arr bench``.

Each compares what the product does with the least that the work needs, side by side in one run,
because on a busy machine only ratios hold. Everything lives in temporary folders and on loopback.
"""
