// Receives and sends many UDP datagrams with one system call each (recvmmsg, sendmmsg), for src/transport/udp/batched.ts, which says
// why. `npm run native` builds it where there is Linux and a C compiler; without it the gateway works all the same.
//
// A datagram is told by a row of nine 32-bit words: offset and length of its octets in the array beside the rows, the other's port,
// family (4 or 6), scope, and four words of address, in network order.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { OFFSET, LENGTH, PORT, FAMILY, SCOPE, ADDRESS, ROW = 9 };

// What is used of Node-API, as its header has it. It is declared here because its binary interface is promised to stay, one build
// serves all versions of Node.js, and few machines have the header.
typedef struct napi_env__ *napi_env;
typedef struct napi_value__ *napi_value;
typedef struct napi_callback_info__ *napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
enum { napi_ok = 0, napi_uint8_array = 1, napi_uint32_array = 6 };
extern int napi_get_cb_info(napi_env, napi_callback_info, size_t *, napi_value *, napi_value *, void **);
extern int napi_get_typedarray_info(napi_env, napi_value, int *, size_t *, void **, napi_value *, size_t *);
extern int napi_get_value_int32(napi_env, napi_value, int32_t *);
extern int napi_get_value_string_utf8(napi_env, napi_value, char *, size_t, size_t *);
extern int napi_create_int32(napi_env, int32_t, napi_value *);
extern int napi_create_string_utf8(napi_env, const char *, size_t, napi_value *);
extern int napi_create_function(napi_env, const char *, size_t, napi_callback, void *, napi_value *);
extern int napi_set_named_property(napi_env, napi_value, const char *, napi_value);

// Datagrams of one call, and octets that are kept free for each that comes: more than any datagram has, and no power of two, for which
// the beginnings of all would share a few lines of the processor's cache.
enum { MOST = 128, SLOT = 65536 + 192, MOST_ARGUMENTS = 5 };

typedef union {
  struct sockaddr any;
  struct sockaddr_in four;
  struct sockaddr_in6 six;
} Name;

// What a function was called with: numbers, and at most one array of octets and one of rows.
typedef struct {
  int32_t numbers[MOST_ARGUMENTS];
  uint8_t *octets;
  size_t size;
  uint32_t *rows;
  size_t count;
} Arguments;

static Arguments arguments_of(napi_env env, napi_callback_info info) {
  napi_value values[MOST_ARGUMENTS];
  size_t given = MOST_ARGUMENTS;
  Arguments all = {0};
  if (napi_get_cb_info(env, info, &given, values, NULL, NULL) != napi_ok) return all;
  for (size_t at = 0; at < given && at < MOST_ARGUMENTS; at++) {
    int type;
    size_t length;
    void *data;
    if (napi_get_value_int32(env, values[at], &all.numbers[at]) == napi_ok) continue;
    if (napi_get_typedarray_info(env, values[at], &type, &length, &data, NULL, NULL) != napi_ok) continue;
    if (type == napi_uint8_array) all.octets = data, all.size = length;
    if (type == napi_uint32_array) all.rows = data, all.count = length / ROW;
  }
  return all;
}

static napi_value number(napi_env env, int32_t value) {
  napi_value result = NULL;
  napi_create_int32(env, value, &result);
  return result;
}

static void write_address(uint32_t *row, const Name *name) {
  if (name->any.sa_family == AF_INET) {
    row[PORT] = ntohs(name->four.sin_port);
    row[FAMILY] = 4;
    row[SCOPE] = 0;
    memcpy(row + ADDRESS, &name->four.sin_addr, 4);
  } else {
    row[PORT] = ntohs(name->six.sin6_port);
    row[FAMILY] = 6;
    row[SCOPE] = IN6_IS_ADDR_LINKLOCAL(&name->six.sin6_addr) ? name->six.sin6_scope_id : 0;
    memcpy(row + ADDRESS, &name->six.sin6_addr, 16);
  }
}

static socklen_t read_address(const uint32_t *row, Name *name) {
  memset(name, 0, sizeof *name);
  if (row[FAMILY] == 4) {
    name->four.sin_family = AF_INET;
    name->four.sin_port = htons((uint16_t)row[PORT]);
    memcpy(&name->four.sin_addr, row + ADDRESS, 4);
    return sizeof name->four;
  }
  name->six.sin6_family = AF_INET6;
  name->six.sin6_port = htons((uint16_t)row[PORT]);
  name->six.sin6_scope_id = row[SCOPE];
  memcpy(&name->six.sin6_addr, row + ADDRESS, 16);
  return sizeof name->six;
}

// receive(fd, octets, rows): takes what waits at a socket; how many datagrams, or a negative error of the system.
static napi_value receive(napi_env env, napi_callback_info info) {
  Arguments given = arguments_of(env, info);
  size_t room = given.size / SLOT < given.count ? given.size / SLOT : given.count;
  if (room > MOST) room = MOST;
  Name names[MOST];
  struct iovec parts[MOST];
  struct mmsghdr messages[MOST];
  for (size_t at = 0; at < room; at++) {
    parts[at] = (struct iovec){.iov_base = given.octets + at * SLOT, .iov_len = SLOT};
    messages[at].msg_hdr = (struct msghdr){
        .msg_name = &names[at], .msg_namelen = sizeof names[at], .msg_iov = &parts[at], .msg_iovlen = 1};
  }
  int taken = room == 0 ? 0 : recvmmsg(given.numbers[0], messages, (unsigned)room, MSG_DONTWAIT, NULL);
  if (taken < 0) return number(env, errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno);
  for (int at = 0; at < taken; at++) {
    uint32_t *row = given.rows + at * ROW;
    row[OFFSET] = (uint32_t)at * SLOT;
    row[LENGTH] = messages[at].msg_len;
    write_address(row, &names[at]);
  }
  return number(env, taken);
}

// send(fd, octets, rows, first, end): sends the datagrams of these rows in order; how many the system has taken before it refused one.
static napi_value send_rows(napi_env env, napi_callback_info info) {
  Arguments given = arguments_of(env, info);
  int32_t first = given.numbers[3], end = given.numbers[4];
  if (first < 0 || end < first || (size_t)end > given.count) return number(env, 0);
  Name names[MOST];
  struct iovec parts[MOST];
  struct mmsghdr messages[MOST];
  int32_t next = first;
  while (next < end) {
    unsigned count = 0;
    for (; count < MOST && next + (int32_t)count < end; count++) {
      const uint32_t *row = given.rows + ((size_t)next + count) * ROW;
      if ((size_t)row[OFFSET] + row[LENGTH] > given.size) break;
      parts[count] = (struct iovec){.iov_base = given.octets + row[OFFSET], .iov_len = row[LENGTH]};
      messages[count].msg_hdr = (struct msghdr){
          .msg_name = &names[count], .msg_namelen = read_address(row, &names[count]), .msg_iov = &parts[count], .msg_iovlen = 1};
    }
    int sent = count == 0 ? 0 : sendmmsg(given.numbers[0], messages, count, MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) break;
    next += sent;
  }
  return number(env, next - first);
}

// describe(rows): the address in the first row as Node.js writes it, with zone if it is a link-local one.
static napi_value describe(napi_env env, napi_callback_info info) {
  Arguments given = arguments_of(env, info);
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE] = "";
  if (given.count > 0) {
    const uint32_t *row = given.rows;
    char zone[IF_NAMESIZE];
    inet_ntop(row[FAMILY] == 4 ? AF_INET : AF_INET6, row + ADDRESS, text, INET6_ADDRSTRLEN);
    if (row[SCOPE] != 0 && if_indextoname(row[SCOPE], zone) != NULL) strcat(strcat(text, "%"), zone);
  }
  napi_value result = NULL;
  napi_create_string_utf8(env, text, strlen(text), &result);
  return result;
}

// parse(text, rows): writes an address into the first row; 4 or 6, or 0 if it is none, or of an interface that is not there.
static napi_value parse(napi_env env, napi_callback_info info) {
  Arguments given = arguments_of(env, info);
  napi_value values[1];
  size_t count = 1, length;
  char text[INET6_ADDRSTRLEN + 1 + IF_NAMESIZE];
  if (napi_get_cb_info(env, info, &count, values, NULL, NULL) != napi_ok || given.count == 0) return number(env, 0);
  if (napi_get_value_string_utf8(env, values[0], text, sizeof text, &length) != napi_ok) return number(env, 0);
  uint32_t *row = given.rows;
  row[SCOPE] = 0;
  row[FAMILY] = 0;
  char *zone = strchr(text, '%');
  if (zone != NULL) {
    *zone = '\0';
    row[SCOPE] = if_nametoindex(zone + 1);
    if (row[SCOPE] == 0) return number(env, 0);
  }
  if (inet_pton(AF_INET, text, row + ADDRESS) == 1) row[FAMILY] = 4;
  else if (inet_pton(AF_INET6, text, row + ADDRESS) == 1) row[FAMILY] = 6;
  return number(env, (int32_t)row[FAMILY]);
}

static void export_function(napi_env env, napi_value exports, const char *name, napi_callback function) {
  napi_value value;
  if (napi_create_function(env, name, strlen(name), function, NULL, &value) == napi_ok)
    napi_set_named_property(env, exports, name, value);
}

// What Node.js calls when it has loaded the library, in each thread.
napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  export_function(env, exports, "receive", receive);
  export_function(env, exports, "send", send_rows);
  export_function(env, exports, "describe", describe);
  export_function(env, exports, "parse", parse);
  return exports;
}

// The version of Node-API that is used.
int32_t node_api_module_get_api_version_v1(void) { return 8; }
