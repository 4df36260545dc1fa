"""The accelerator's registers: one table, and what is made of it: the decoder, constants, documentation."""
