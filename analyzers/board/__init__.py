"""The local web page: health, figures, incidents, logs and mails, drawn on the server.

    create_app(store, contracts)    the Starlette application
    serve(app, ...)                 run it with uvicorn on 127.0.0.1

Pages hold no script at all: charts are SVG made by Vega-Lite before the page is sent.
"""

from analyzers.board.app import BoardError, create_app, serve

__all__ = ["BoardError", "create_app", "serve"]
