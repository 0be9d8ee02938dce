/* libmodbus as slave: unit 1 on the port that is named, until it is ended. Errors are recovered from, because
   it ends at the first request to another unit otherwise. */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdio.h>
#include <string.h>

#define COUNT 100

int main(int argc, char **argv)
{
    uint8_t request[MODBUS_RTU_MAX_ADU_LENGTH];
    modbus_t *line = modbus_new_rtu(argc > 1 ? argv[1] : "", 115200, 'N', 8, 1);
    modbus_mapping_t *map = modbus_mapping_new(COUNT, COUNT, COUNT, COUNT);

    if (line == NULL || map == NULL) {
        return 2;
    }
    for (int i = 0; i < COUNT; i++) {
        map->tab_registers[i] = 1000 + i;
        map->tab_input_registers[i] = 2000 + i;
        map->tab_bits[i] = i % 3 == 0;
        map->tab_input_bits[i] = i % 4 == 0;
    }
    modbus_set_slave(line, 1);
    modbus_set_error_recovery(line, MODBUS_ERROR_RECOVERY_LINK | MODBUS_ERROR_RECOVERY_PROTOCOL);
    if (modbus_connect(line) == -1) {
        fprintf(stderr, "%s\n", modbus_strerror(errno));
        return 2;
    }
    puts("ready");
    fflush(stdout);
    for (;;) {
        int length = modbus_receive(line, request);
        if (length > 0) {
            modbus_reply(line, request, length, map);
        } else if (length == -1 && errno == EIO) {
            return 0;
        }
    }
}
