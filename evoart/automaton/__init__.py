"""Neural cellular automata: a picture that grows from one cell, and heals."""
