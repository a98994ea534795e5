"""A long life of mixed traffic: does anything grow that should not?"""
