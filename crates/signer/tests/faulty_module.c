/* A PKCS#11 module that passes everything on to a real one (P11_REAL) and spoils signatures as the file P11_FAULT says:
 * `error`, `session`, `absent`, `slow MILLISECONDS` or `hang`, behind `once ` for the next call only; `made` hangs behind a
 * key pair that was made. It is read at each call, so a test spoils and mends while the service runs. Each C_SignInit appends `s` to P11_CALLS and each
 * C_Login `l`. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The function list of PKCS#11 2.40: a version and 68 functions, in the order of its section 5.2. */
enum { FUNCTIONS = 68, GET_FUNCTION_LIST = 3, LOGIN = 18, SIGN_INIT = 42, GENERATE_KEY_PAIR = 59 };
enum { OK = 0x00, GENERAL_ERROR = 0x05, DEVICE_ERROR = 0x30, SESSION_HANDLE_INVALID = 0xB3, TOKEN_NOT_PRESENT = 0xE0 };
typedef unsigned long rv;
typedef struct { unsigned char version[2]; void *functions[FUNCTIONS]; } list;

static list ours, *real;

static void note(char call) {
    const char *path = getenv("P11_CALLS");
    FILE *file = path ? fopen(path, "a") : 0;
    if (!file) return;
    fputc(call, file);
    fclose(file);
}

static int is_spoilt(const char *how) {
    char text[64] = "";
    const char *path = getenv("P11_FAULT");
    FILE *file = path ? fopen(path, "r") : 0;
    if (!file) return 0;
    if (!fgets(text, sizeof text, file)) text[0] = 0;
    fclose(file);
    return !strncmp(text, how, strlen(how));
}

static rv fault(void) {
    char text[64] = "", *what = text;
    const char *path = getenv("P11_FAULT");
    FILE *file;
    if (!path || !(file = fopen(path, "r"))) return OK;
    if (!fgets(text, sizeof text, file)) text[0] = 0;
    fclose(file);
    if (!strncmp(what, "once ", 5)) { what += 5; unlink(path); }
    if (!strncmp(what, "error", 5)) return DEVICE_ERROR;
    if (!strncmp(what, "session", 7)) return SESSION_HANDLE_INVALID;
    if (!strncmp(what, "absent", 6)) return TOKEN_NOT_PRESENT;
    if (!strncmp(what, "slow ", 5)) usleep(1000 * (useconds_t)atoi(what + 5));
    while (!strncmp(what, "hang", 4) && !access(path, F_OK)) usleep(10000);
    return OK;
}

static rv sign_init(unsigned long session, void *mechanism, unsigned long key) {
    note('s');
    rv spoilt = fault();
    return spoilt ? spoilt : ((rv(*)(unsigned long, void *, unsigned long))real->functions[SIGN_INIT])(session, mechanism, key);
}

static rv login(unsigned long session, unsigned long user, void *pin, unsigned long octets) {
    note('l');
    return ((rv(*)(unsigned long, unsigned long, void *, unsigned long))real->functions[LOGIN])(session, user, pin, octets);
}

static rv generate(unsigned long session, void *mechanism, void *public, unsigned long publics, void *private,
                   unsigned long privates, unsigned long *made_public, unsigned long *made_private) {
    rv made = ((rv(*)(unsigned long, void *, void *, unsigned long, void *, unsigned long, unsigned long *, unsigned long *))
                   real->functions[GENERATE_KEY_PAIR])(session, mechanism, public, publics, private, privates, made_public, made_private);
    while (is_spoilt("made")) usleep(10000);
    return made;
}

rv C_GetFunctionList(list **out) {
    if (!real) {
        void *module = dlopen(getenv("P11_REAL"), RTLD_NOW);
        rv (*get)(list **) = module ? (rv(*)(list **))dlsym(module, "C_GetFunctionList") : 0;
        if (!get || get(&real) != OK) return GENERAL_ERROR;
        ours = *real;
        ours.functions[GET_FUNCTION_LIST] = (void *)C_GetFunctionList;
        ours.functions[LOGIN] = (void *)login;
        ours.functions[GENERATE_KEY_PAIR] = (void *)generate;
        ours.functions[SIGN_INIT] = (void *)sign_init;
    }
    *out = &ours;
    return OK;
}
