# The gateway as a container image, for linux/amd64 and linux/arm64:
#   docker buildx build --platform linux/amd64,linux/arm64 -t mqtt-sn-gateway .
# docs/install.md says how to run it.

# Any image with Node.js 20.19 or later; the first stage needs npm, too.
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# Built on the machine that builds, whatever the image is for: nothing is compiled to machine code, and npm picks the ready
# made libraries of the store for the system that it is told.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS build
ENV npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run --silent build && rm -r node_modules dist/lab dist/scripts dist/types && find dist -name '*.map' -delete
ARG TARGETARCH=amd64
RUN cpu="${TARGETARCH}"; if [ "$cpu" = amd64 ]; then cpu=x64; fi; \
  npm ci --omit=dev --ignore-scripts --os=linux --cpu="$cpu" --libc=glibc \
  && find node_modules -type f \( -name '*.map' -o -name '*.*ts' \) -delete
# Made here, as the last stage runs nothing: it may be for another processor.
RUN mkdir -p /image/opt/mqtt-sn-gateway /image/etc/mqttsn /image/var/lib/mqttsn /image/usr/local/bin \
  && mv dist native node_modules package.json LICENSE /image/opt/mqtt-sn-gateway/ \
  && cp deploy/gateway.config.json docs/gateway.config.schema.json /image/etc/mqttsn/ \
  && chmod 755 /image/opt/mqtt-sn-gateway/dist/src/cli.js \
  && ln -s /opt/mqtt-sn-gateway/dist/src/cli.js /image/usr/local/bin/mqttsn \
  && chown 1000:1000 /image/var/lib/mqttsn && chmod 700 /image/var/lib/mqttsn

FROM ${NODE_IMAGE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mqtt-sn-gateway" \
  org.opencontainers.image.description="MQTT-SN 1.2 gateway: sensors on UDP to any MQTT broker" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image/ /
# Sessions and what waits for sensors are kept here: without a volume they end with the container
ENV NODE_ENV=production MQTTSN_STORE__PATH=/var/lib/mqttsn
VOLUME /var/lib/mqttsn
WORKDIR /var/lib/mqttsn
# a number, so that an orchestrator can see that it is not root
USER 1000:1000
EXPOSE 1884/udp
# Alive, not ready: a restart does not bring a broker back.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
  CMD ["node", "/opt/mqtt-sn-gateway/dist/src/cli.js", "health", "--live"]
STOPSIGNAL SIGTERM
# Node.js itself: signals reach the gateway, which ends its connections and exits.
ENTRYPOINT ["node", "/opt/mqtt-sn-gateway/dist/src/cli.js"]
CMD ["gateway", "-c", "/etc/mqttsn/gateway.config.json"]
