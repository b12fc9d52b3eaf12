# The app in a container: nothing to compile with, no root, and a root folder that may be read-only. Plans are in /data.
FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary=:all: -r requirements.txt
COPY app.py ./
COPY .streamlit/config.toml .streamlit/
COPY kpi_core kpi_core
COPY workbench workbench
COPY pages pages
COPY sample_data sample_data
# A read-only root cannot keep bytecode, so it is made here.
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash app.py kpi_core workbench

FROM python:3.13-slim-trixie
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin gyakusan \
 && install --directory --owner=10001 --group=10001 --mode=0700 /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    GYAKUSAN_DATA=/data \
    GYAKUSAN_HOSTED=1
USER 10001:10001
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/healthz', timeout=4)"]
CMD ["streamlit", "run", "app.py", "--server.address=0.0.0.0", "--server.port=8501"]
