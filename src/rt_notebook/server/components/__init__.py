"""The speech components behind the server: detect, transcribe, reply, speak.

Each file holds one protocol, its real component and what stands in where that is not installed.
"""
