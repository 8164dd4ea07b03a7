FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/purser
# What builds the wheel is pinned, too; pip reads that from either, depending on its age.
ENV PIP_CONSTRAINT=/src/constraints.txt \
    PIP_BUILD_CONSTRAINT=/src/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
# First what changes seldom: the libraries, for a Purser without anything in it. A new Purser alone takes seconds.
COPY constraints.txt pyproject.toml ./
# pip comes along as sqlite-utils's, for a command that nobody gives here.
RUN touch README.md LICENSE \
    && pip --python /opt/purser install '.[traces]' \
    && pip --python /opt/purser uninstall --yes pip
COPY README.md LICENSE ./
COPY prompts prompts
COPY integrations integrations
COPY bot bot
RUN pip --python /opt/purser install --no-deps --force-reinstall .

FROM python:3.13-slim
RUN groupadd --gid 10001 purser \
    && useradd --uid 10001 --gid purser --no-create-home --shell /usr/sbin/nologin purser \
    && install --directory --owner=purser --group=purser --mode=0700 /data
COPY --from=build /opt/purser /opt/purser
ENV PATH=/opt/purser/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LOG_FORMAT=json \
    PORT=3000
# Here purser.toml is looked for, and here SQLite's file is made. Else only /tmp is written to.
WORKDIR /data
USER 10001:10001
EXPOSE 3000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client as h, os, sys; c = h.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["purser"]
CMD ["serve", "--host", "0.0.0.0"]
