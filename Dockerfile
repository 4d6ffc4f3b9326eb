# Two images with one static program, which runs as nobody:
#
#   docker build -t vouchsafe .                       nothing but the program and the CA bundle
#   docker build -t vouchsafe:shell --target shell .  with a shell, for the `image:` of GitLab CI, Woodpecker and Drone
#
# The bases are tags here. Pin them in your own build to what your registry serves and you have looked at:
#   --build-arg RUST_IMAGE=rust@sha256:… --build-arg SHELL_IMAGE=alpine@sha256:…
ARG RUST_IMAGE=docker.io/library/rust:1.95.0-alpine3.22
ARG SHELL_IMAGE=docker.io/library/alpine:3.22

# musl is the C library of this image, so the program comes out static
FROM ${RUST_IMAGE} AS build
WORKDIR /vouchsafe
COPY . .
RUN cargo build --release --locked --bin vouchsafe \
  && mkdir -p /out/etc/ssl/certs /out/usr/local/bin /out/work \
  && cp target/release/vouchsafe /out/usr/local/bin/ \
  && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
  && chown 65532:65532 /out/work

FROM ${SHELL_IMAGE} AS shell
COPY --from=build /out /
ENV HOME=/work SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
WORKDIR /work
USER 65532:65532
CMD ["vouchsafe", "--help"]

FROM scratch
COPY --from=build /out /
ENV HOME=/work SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/bin
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["vouchsafe"]
CMD ["--help"]
