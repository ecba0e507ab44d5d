/* cleanup.h - objects that free themselves at the end of their scope.
 *
 *   AUTO(buf) b = {0};             freed when the scope ends, on every path
 *   AUTO(X509) crt = read_it();    a pointer type: freed with the function named for it
 *   return TAKE(crt);              hands it over: the scope no longer owns it
 */
#pragma once
#include <stddef.h>

/* For values that stand on the stack: free_fn takes a pointer to the value. */
#define AUTO_VALUE(tag, type, free_fn)                                                             \
  typedef type auto_type_##tag;                                                                    \
  static inline void auto_free_##tag(type *object)                                                 \
  {                                                                                                \
    free_fn(object);                                                                               \
  }

/* For objects behind a pointer: free_fn takes the pointer, and accepts NULL. */
#define AUTO_POINTER(tag, type, free_fn)                                                           \
  typedef type *auto_type_##tag;                                                                   \
  static inline void auto_free_##tag(type **object)                                                \
  {                                                                                                \
    free_fn(*object);                                                                              \
  }

#define AUTO(tag) __attribute__((cleanup(auto_free_##tag))) auto_type_##tag

#define TAKE(pointer)                                                                              \
  __extension__({                                                                                  \
    __typeof__(pointer) taken_ = (pointer);                                                        \
    (pointer) = NULL;                                                                              \
    taken_;                                                                                        \
  })

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))
