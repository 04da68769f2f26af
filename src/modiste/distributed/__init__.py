"""Many machines: the stages of a shop, and search over shards, on Ray. The only room that imports it."""
