"""How work is spread over threads, watched and given up."""
