#include "sundials_shim.h"

#include <string.h>

static void append(CNMessages *messages, const char *function, const char *text) {
  const char *const parts[] = {messages->text[0] ? "; " : "", function ? function : "",
                               function ? ": " : "", text ? text : ""};
  size_t used = strlen(messages->text);
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    for (const char *c = parts[i]; *c && used + 1 < sizeof messages->text; c++) {
      messages->text[used++] = *c == '\n' ? ' ' : *c;
    }
  }
  messages->text[used] = 0;
}

static int libraryMatchesHeaders(void) {
  int major = 0, minor = 0, patch = 0;
  char label[32];
  return SUNDIALSGetVersionNumber(&major, &minor, &patch, label, sizeof label) == 0 &&
         major == SUNDIALS_VERSION_MAJOR;
}

#if SUNDIALS_VERSION_MAJOR >= 7

static void receive(int line, const char *function, const char *file, const char *text,
                    SUNErrCode code, void *owner, SUNContext context) {
  (void)line, (void)file, (void)code, (void)context;
  append(owner, function, text);
}

int CNContextCreate(CNMessages *messages, SUNContext *context) {
  *context = NULL;
  if (!libraryMatchesHeaders()) return -1;
  int code = SUNContext_Create(SUN_COMM_NULL, context);
  if (code != 0) return code;
  // The default handler prints, and the default logger sends warnings to standard output; without
  // a logger, SUNLogger_QueueMsg returns at once.
  code = SUNContext_ClearErrHandlers(*context);
  if (code == 0) code = SUNContext_PushErrHandler(*context, receive, messages);
  if (code == 0) code = SUNContext_SetLogger(*context, NULL);
  if (code != 0) SUNContext_Free(context);
  return code;
}

void *CNIntegratorCreate(int method, SUNContext context, CNMessages *messages) {
  (void)messages;
  return CVodeCreate(method, context);
}

#else

static void receive(int code, const char *module, const char *function, char *text, void *owner) {
  (void)module;
  if (code != CV_WARNING) append(owner, function, text);
}

int CNContextCreate(CNMessages *messages, SUNContext *context) {
  (void)messages;
  *context = NULL;
  if (!libraryMatchesHeaders()) return -1;
  return SUNContext_Create(NULL, context);
}

void *CNIntegratorCreate(int method, SUNContext context, CNMessages *messages) {
  void *integrator = CVodeCreate(method, context);
  if (integrator == NULL) return NULL;
  if (CVodeSetErrHandlerFn(integrator, receive, messages) != CV_SUCCESS) CVodeFree(&integrator);
  return integrator;
}

#endif
