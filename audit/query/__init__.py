"""Questions of people and machines → Criteria → answers; who may ask."""
