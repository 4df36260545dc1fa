"""The accelerator as a board's SPI bus sees it: golden model or Verilated RTL, faults on top, and a server for many."""
