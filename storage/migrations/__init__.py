"""How older stores become newer ones. Each step stays as it was released; `schema.REVISIONS` lists them."""
