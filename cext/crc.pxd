cimport cython

cdef unsigned short TABLE[256]

@cython.locals(index=cython.int, crc=cython.uint, _bit=cython.int)
cdef void _fill_table() noexcept

# Not noexcept: crc16(None) must raise, not return 0, the value of a sound frame.
@cython.locals(crc=cython.uint, byte=cython.uchar)
cpdef unsigned int crc16(bytes data) except? 0
