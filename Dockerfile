FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/purser
# First what changes seldom, so that a new Purser alone is built anew.
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY prompts prompts
COPY integrations integrations
COPY bot bot
RUN /opt/purser/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt '.[traces]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin purser \
    && install --directory --owner=purser --group=purser --mode=0700 /data
COPY --from=build /opt/purser /opt/purser
ENV PATH=/opt/purser/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOG_FORMAT=json \
    PORT=3000
# Here purser.toml is looked for, and here SQLite's file is made. Else only /tmp is written to.
WORKDIR /data
USER 10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["purser"]
CMD ["serve", "--host", "0.0.0.0"]
