"""OpenID Connect: who somebody is, from an identity provider.

options     what is known of the provider, and how its claims are read
provider    its metadata and keys, over HTTPS, kept for a while
tokens      a token's signature, issuer, audience and times
claims      claims → what somebody may do
code_flow   authorization code with PKCE, for the pages
"""
