"""the standards as data: the only readers of schemas/."""
