/* unit.h - what every unit test includes first. */
#pragma once
/* cmocka wants these before its own header, in this order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
