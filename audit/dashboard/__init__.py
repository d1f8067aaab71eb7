"""Server-rendered pages for people who review audit trails; every one works without JavaScript.

app          create_page_routes: the one way in
context      what a page needs: services, options, templates
visitors     sessions, cookies, forged-request checks
home, review, event, sign_in    one module a page
figures, rows, sentences, details    records → what a page says
charts, raw_text, query_form, display    pure pieces
"""
