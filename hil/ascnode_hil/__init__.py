"""Pytest plugin and suites for boards that run the ascnode firmware: virtual, twin or real."""
