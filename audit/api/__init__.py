"""The web API: ``/api/v1``, JSON, RFC 9457 errors, cursors, bearer tokens.

app         create_api_routes: the one way in
events      search, one event, its exact octets
senders     conformance of each sender
access      bearer token → principal, rate limit
schemas     the shapes of requests and answers
reference   the committed OpenAPI document and a page that shows it
"""
