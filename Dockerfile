# The repository in a container: two stages, no compiler and no root in the second.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /build
# The busiest modules are compiled into the wheel.
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends gcc libc6-dev
COPY pyproject.toml hatch_build.py requirements.lock README.md LICENSE ./
COPY audit ./audit
COPY schemas ./schemas
COPY dashboards ./dashboards
RUN python -m venv /opt/arr \
 && /opt/arr/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && ATNA_COMPILED=yes /opt/arr/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11.14-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/arr --create-home arr
COPY --from=build /opt/arr /opt/arr
ENV PATH=/opt/arr/bin:$PATH PYTHONUNBUFFERED=1 ARR_DATA=/var/lib/arr
USER 10001:10001
VOLUME /var/lib/arr
EXPOSE 6514/tcp 5514/udp 8443/tcp
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
  CMD ["arr", "doctor", "--live"]
ENTRYPOINT ["arr"]
CMD ["serve"]
