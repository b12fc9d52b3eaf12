"""The ASGI app: `streamlit run app.py` serves it, and so does any ASGI server."""

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Route

from workbench import logs, open_link, proxies, serving, storage

logs.begin()
proxies.begin()
serving.readiness.append(storage.ready)
serving.daily.append(storage.purge)
app = st.App(
    "workbench/shell.py",
    lifespan=serving.lifespan,
    routes=[
        Route("/healthz", serving.healthz),
        Route("/readyz", serving.readyz),
        Route("/robots.txt", serving.robots),
        *open_link.routes(storage.store),
    ],
    middleware=[Middleware(serving.Headers)],
    on_script_error=serving.script_error,
)
