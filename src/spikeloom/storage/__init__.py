"""How bytes are kept: atomic writes, arrays, tables, journals, fingerprints, caches."""
