"""The suites: `pytest --pyargs ascnode_hil.suites --ascnode-board BOARD`."""
