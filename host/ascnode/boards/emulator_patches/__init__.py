"""What is wrong in rp2040py 0.3.6, mended from outside: one defect a file, each with a test that fails when upstream
has mended it (tests/boards_emulated/test_patches.py)."""
