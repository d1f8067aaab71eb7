"""What every HTTP face shares: server, limits, headers, errors, a log naming nobody.

options       every limit, with its unit and its reason
protocol      HTTP parsing with deadlines and size limits (uvicorn, httptools)
middleware    request id, access log, security headers, host check, body limit
problems      AuditError → RFC 9457 problem
rate_limit    token buckets per principal
application   create_app: routers → one FastAPI application
server        application → uvicorn configuration
"""
