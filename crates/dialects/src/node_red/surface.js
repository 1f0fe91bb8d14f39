// The scope of function nodes.
