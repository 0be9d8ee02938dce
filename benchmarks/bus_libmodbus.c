/* libmodbus polling eight registers back to back: PORT BAUD TRANSACTIONS; prints one JSON line. */
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(clockid_t which)
{
    struct timespec now;

    clock_gettime(which, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    uint16_t registers[8];
    int transactions = argc > 3 ? atoi(argv[3]) : 0;
    int failures = 0;
    modbus_t *line = argc > 3 ? modbus_new_rtu(argv[1], atoi(argv[2]), 'N', 8, 1) : NULL;

    if (line == NULL || modbus_set_slave(line, 1) == -1 || modbus_connect(line) == -1) {
        return 2;
    }
    for (int i = 0; i < 5; i++) {
        modbus_read_registers(line, 0, 8, registers);
    }
    double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
    double began = seconds(CLOCK_MONOTONIC);
    for (int i = 0; i < transactions; i++) {
        failures += modbus_read_registers(line, 0, 8, registers) != 8;
    }
    double took = seconds(CLOCK_MONOTONIC) - began;
    cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("{\"transactions\": %d, \"seconds\": %f, \"cpu_us\": %f, \"failures\": %d}\n", transactions, took,
           1e6 * cpu / transactions, failures);
    return 0;
}
