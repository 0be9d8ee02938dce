/* libmodbus as a master for the fault table: a line of standard input is one request.
 *   r UNIT ADDRESS COUNT      read input registers            ok V V ... / error TEXT
 *   w UNIT ADDRESS VALUE      write a holding register        ok / error TEXT
 * cc fault_table_libmodbus.c $(pkg-config --cflags --libs libmodbus); ./a.out PORT BAUD TIMEOUT_US */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 4) return 2;
    modbus_t *bus = modbus_new_rtu(argv[1], atoi(argv[2]), 'N', 8, 1);
    if (!bus) return 2;
    modbus_set_response_timeout(bus, 0, atoi(argv[3]));
    modbus_set_slave(bus, 1);
    if (modbus_connect(bus) < 0) return 2;
    printf("libmodbus %s\n", LIBMODBUS_VERSION_STRING);
    fflush(stdout);
    char what;
    int unit, address, number;
    while (scanf(" %c %d %d %d", &what, &unit, &address, &number) == 4) {
        uint16_t values[125];
        modbus_set_slave(bus, unit);
        int count = what == 'r' ? modbus_read_input_registers(bus, address, number, values)
                                : modbus_write_register(bus, address, number);
        if (count < 0) printf("error %s", modbus_strerror(errno));
        else printf("ok");
        for (int i = 0; what == 'r' && i < count; i++) printf(" %d", values[i]);
        printf("\n");
        fflush(stdout);
    }
    modbus_close(bus);
    modbus_free(bus);
    return 0;
}
