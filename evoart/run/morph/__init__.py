"""``evoart morph``: one result becomes another."""
