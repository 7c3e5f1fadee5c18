/* The least that a gateway on this machine could cost: datagrams are received in batches, each is written to the TCP
 * connection of its sensor, and at QoS 1 the broker's acknowledgement is read and answered with a datagram. Nothing is
 * looked at, checked, remembered or repeated. It answers CONNECT and REGISTER so that the same load can be used.
 *   cc -O2 -o bare bare.c && ./bare BROKER_PORT        prints "listening PORT" */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECT = 0x04, CONNACK = 0x05, REGISTER = 0x0a, REGACK = 0x0b, PUBLISH = 0x0c, PUBACK = 0x0d };
enum { BATCH = 64, LONGEST = 256, RECEIVE_BUFFER = 4 << 20, TURN = 256 };

/* By port of the sensor, since all have the same address: its connection, its topic, and where answers go. */
struct sensor {
    int tcp;
    uint8_t topic_length;
    char topic[64];
    struct sockaddr_in address;
};
static struct sensor *by_port[65536];
static struct sensor *by_file[65536];
static int udp, poll_set;
static uint16_t broker_port;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int file, uint32_t what) {
    struct epoll_event event = {.events = what, .data.fd = file};
    if (epoll_ctl(poll_set, EPOLL_CTL_ADD, file, &event) < 0) fail("epoll_ctl");
}

static void answer(struct sensor *sensor, const uint8_t *octets, size_t length) {
    sendto(udp, octets, length, 0, (struct sockaddr *)&sensor->address, sizeof sensor->address);
}

/* A connection to the broker, with a client id made of the port, waited for: this is not what is measured. */
static struct sensor *greet(const struct sockaddr_in *from) {
    struct sensor *sensor = calloc(1, sizeof *sensor);
    struct sockaddr_in broker = {.sin_family = AF_INET, .sin_port = htons(broker_port)};
    int one = 1;
    char id[16];
    int id_length = snprintf(id, sizeof id, "bare%u", ntohs(from->sin_port));
    uint8_t packet[64] = {0x10, (uint8_t)(12 + id_length), 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, (uint8_t)id_length};
    uint8_t connack[4];
    memcpy(packet + 14, id, (size_t)id_length);
    broker.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (sensor == NULL) fail("calloc");
    sensor->address = *from;
    sensor->tcp = socket(AF_INET, SOCK_STREAM, 0);
    if (sensor->tcp < 0 || sensor->tcp > 65535) fail("socket");
    if (connect(sensor->tcp, (struct sockaddr *)&broker, sizeof broker) < 0) fail("connect");
    setsockopt(sensor->tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (send(sensor->tcp, packet, (size_t)(14 + id_length), 0) < 0) fail("send");
    if (recv(sensor->tcp, connack, sizeof connack, MSG_WAITALL) != sizeof connack || connack[3] != 0) fail("CONNACK");
    by_file[sensor->tcp] = sensor;
    watch(sensor->tcp, EPOLLIN);
    return sensor;
}

/* PUBLISH in MQTT-SN: length, type, flags, topic id (2), MsgId (2), data. In MQTT: type, length, topic, id at QoS 1, data. */
static void forward(struct sensor *sensor, const uint8_t *in, size_t length) {
    uint8_t out[2 + 2 + 64 + 2 + LONGEST];
    int acknowledged = (in[2] & 0x60) == 0x20;
    size_t data = length - 7, at = 2;
    out[0] = acknowledged ? 0x32 : 0x30;
    out[at++] = 0;
    out[at++] = sensor->topic_length;
    memcpy(out + at, sensor->topic, sensor->topic_length);
    at += sensor->topic_length;
    if (acknowledged) {
        out[at++] = in[5];
        out[at++] = in[6];
    }
    memcpy(out + at, in + 7, data);
    at += data;
    if (at - 2 > 127) return;
    out[1] = (uint8_t)(at - 2);
    if (send(sensor->tcp, out, at, MSG_NOSIGNAL) < 0 && errno != EAGAIN) fail("send");
}

static void on_datagram(const uint8_t *in, size_t length, const struct sockaddr_in *from) {
    struct sensor *sensor = by_port[ntohs(from->sin_port)];
    if (length < 2 || in[0] != length) return;
    if (sensor == NULL && in[1] == CONNECT) sensor = by_port[ntohs(from->sin_port)] = greet(from);
    if (sensor == NULL) return;
    if (in[1] == CONNECT) {
        answer(sensor, (const uint8_t[]){3, CONNACK, 0}, 3);
    } else if (in[1] == REGISTER && length > 6 && length - 6 <= sizeof sensor->topic) {
        sensor->topic_length = (uint8_t)(length - 6);
        memcpy(sensor->topic, in + 6, length - 6);
        answer(sensor, (const uint8_t[]){7, REGACK, 0, 1, in[4], in[5], 0}, 7);
    } else if (in[1] == PUBLISH && length >= 7) {
        forward(sensor, in, length);
    }
}

/* PUBACKs of four octets; one that is cut in two by the stream is not worth the trouble here: it is read whole. */
static void on_stream(struct sensor *sensor) {
    uint8_t in[LONGEST * 4];
    ssize_t length = recv(sensor->tcp, in, sizeof in, MSG_DONTWAIT);
    if (length <= 0) return;
    for (ssize_t at = 0; at + 4 <= length; at += 4)
        if (in[at] == 0x40) answer(sensor, (const uint8_t[]){7, PUBACK, 0, 1, in[at + 2], in[at + 3], 0}, 7);
}

static void on_datagrams(void) {
    static uint8_t octets[BATCH][LONGEST];
    static struct sockaddr_in from[BATCH];
    static struct iovec vectors[BATCH];
    static struct mmsghdr headers[BATCH];
    for (int i = 0; i < BATCH; i++) {
        vectors[i] = (struct iovec){octets[i], LONGEST};
        headers[i].msg_hdr = (struct msghdr){
            .msg_name = &from[i], .msg_namelen = sizeof from[i], .msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    int count = recvmmsg(udp, headers, BATCH, MSG_DONTWAIT, NULL);
    for (int i = 0; i < count; i++) on_datagram(octets[i], headers[i].msg_len, &from[i]);
}

int main(int count, char **arguments) {
    struct sockaddr_in own = {.sin_family = AF_INET};
    socklen_t length = sizeof own;
    int size = RECEIVE_BUFFER;
    struct epoll_event events[TURN];
    if (count != 2) return fprintf(stderr, "usage: bare BROKER_PORT\n"), 2;
    broker_port = (uint16_t)atoi(arguments[1]);
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    poll_set = epoll_create1(0);
    setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (bind(udp, (struct sockaddr *)&own, sizeof own) < 0) fail("bind");
    if (getsockname(udp, (struct sockaddr *)&own, &length) < 0) fail("getsockname");
    watch(udp, EPOLLIN);
    printf("listening %u\n", ntohs(own.sin_port));
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poll_set, events, TURN, -1);
        for (int i = 0; i < ready; i++) {
            if (events[i].data.fd == udp) on_datagrams();
            else if (by_file[events[i].data.fd] != NULL) on_stream(by_file[events[i].data.fd]);
        }
    }
}
