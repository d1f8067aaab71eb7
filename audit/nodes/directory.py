"""Log-in names and secrets of a node's users; secrets are drawn anew at every start."""

from hmac import compare_digest
from secrets import token_urlsafe

from audit.nodes.people import Staff


class Directory:
    """Who may log in. A name nobody knows is treated like a wrong secret."""

    def __init__(self, members: tuple[Staff, ...]) -> None:
        self._members = {member.user_id: member for member in members}
        self._secrets = {member.user_id: token_urlsafe(12) for member in members}

    def secret_of(self, member: Staff) -> str:
        """What this member would type."""
        return self._secrets[member.user_id]

    def verified(self, user_id: str, secret: str) -> Staff | None:
        """The member, None when name and secret don't fit."""
        known = self._secrets.get(user_id)
        if known is None or not compare_digest(known.encode(), secret.encode()):
            return None
        return self._members[user_id]

    def claimed(self, user_id: str) -> Staff:
        """Who somebody claims to be: the member of that name, or a name and nothing more."""
        return self._members.get(user_id) or Staff(user_id, "", "", "")
