"""The web API: ``/api/v1``, JSON, RFC 9457 errors, cursors, bearer tokens.

app         create_api_routes: the one way in
events      search, one event, its exact octets
overview    facets and histogram
pivots      everything about one patient, study, user, node or address; neighbours in time
feeds       export and live tail
questions   a question as text or as a tree
senders     conformance of each sender
access      bearer token → principal, rate limit
schemas     the shapes of requests and answers
reference   the committed OpenAPI document and a page that shows it
"""
