// As on an ESP32, where it is a header of its own.
#include "WiFi.h"
