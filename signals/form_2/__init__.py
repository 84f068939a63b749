"""The blocks of form 2: the level of the gate, the joint move, what is announced (docs/decisions/form-2.md)."""
