"""A light Llama in NumPy, with its linear layers multiplied by libmarlin or by NumPy."""
