// A stand-in for Arduino on an ESP32, on sockets of the operating system: enough for the sketch of docs/recipes.
#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOW, HIGH, OUTPUT, WL_CONNECTED = 3 };

inline unsigned long millis() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000ul + now.tv_nsec / 1000000;
}

inline void delay(unsigned long milliseconds) { usleep(milliseconds * 1000); }
inline void pinMode(int, int) {}

inline void digitalWrite(int pin, int level) {
  printf("pin %d %s\n", pin, level == HIGH ? "high" : "low");
  fflush(stdout);
}

struct IPAddress {
  uint32_t address;
  IPAddress(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
      : address(htonl(uint32_t(a) << 24 | uint32_t(b) << 16 | uint32_t(c) << 8 | d)) {}
};

struct {
  void begin(long) {}
  void println(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
  }
} Serial;

struct {
  int calls = 0;
  void begin(const char *, const char *) {}
  // the network takes a moment
  int status() { return ++calls > 2 ? WL_CONNECTED : 0; }
} WiFi;

class WiFiUDP {
  int handle = -1;
  uint8_t out[1500], in[1500];
  size_t length = 0;
  sockaddr_in to{};
  ssize_t got = 0;

public:
  uint8_t begin(uint16_t port) {
    handle = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_port = htons(port);
    return bind(handle, (sockaddr *)&own, sizeof own) == 0;
  }
  int beginPacket(IPAddress address, uint16_t port) {
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = address.address;
    to.sin_port = htons(port);
    length = 0;
    return 1;
  }
  size_t write(uint8_t octet) { return write(&octet, 1); }
  size_t write(const uint8_t *octets, size_t count) {
    if (length + count > sizeof out) return 0;
    memcpy(out + length, octets, count);
    length += count;
    return count;
  }
  int endPacket() { return sendto(handle, out, length, 0, (sockaddr *)&to, sizeof to) == (ssize_t)length; }
  int parsePacket() {
    got = recv(handle, in, sizeof in, 0);
    return got > 0 ? got : 0;
  }
  int read(uint8_t *octets, size_t count) {
    size_t taken = got > 0 && (size_t)got < count ? got : count;
    memcpy(octets, in, taken);
    return taken;
  }
};

void setup();
void loop();

int main() {
  setup();
  for (;;) loop();
}
