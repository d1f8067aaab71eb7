"""State that is no evidence: accounts, sessions, API tokens, saved searches, sign-in throttling.

store           StateStore: all of it behind one door
database        the connection, times, errors; files that only this user can read
tables          what is stored
upgrade         stores of an older version
grants          what somebody may do, and of which records
accounts        local accounts, passwords by argon2id
sessions        who is signed in
sign_ins        sign-ins on their way over an identity provider
tokens          API tokens, only their SHA-256 stored
saved_searches  query texts behind an id that says nothing
throttle        how often a password may be tried
"""
