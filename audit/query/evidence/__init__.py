"""Evidence bundles: what was found, with everything a stranger needs to check it offline."""
