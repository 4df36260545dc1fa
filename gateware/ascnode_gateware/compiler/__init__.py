"""Compiles int8 models to programs of the engine (docs/accelerator.md)."""

from ascnode_gateware.compiler.compile import compile_file, compile_model
from ascnode_gateware.compiler.target import UP5K, Options, Target

__all__ = ["UP5K", "Options", "Target", "compile_file", "compile_model"]
