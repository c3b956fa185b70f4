// SUNDIALS as Swift needs it: CVODE, the serial vector, the dense matrix, and the linear and
// nonlinear solvers that go with them.
//
// Most functions are called directly. This header adds only what Swift cannot express or should
// not have to know: nullability of callbacks, function-like macros, the differences between
// SUNDIALS 6 and 7, and a place for error messages that is not the terminal. It holds no state.

#ifndef CNUMERICS_SUNDIALS_SHIM_H
#define CNUMERICS_SUNDIALS_SHIM_H

#include <cvode/cvode.h>
#include <cvode/cvode_ls.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_config.h>
#include <sundials/sundials_context.h>
#include <sundials/sundials_version.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_pcg.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>
#include <sunnonlinsol/sunnonlinsol_newton.h>

#if SUNDIALS_VERSION_MAJOR < 6 || SUNDIALS_VERSION_MAJOR > 7
#error "This package is written for SUNDIALS 6 and 7."
#endif

#ifndef SUNDIALS_DOUBLE_PRECISION
#error "This package needs SUNDIALS built in double precision."
#endif

#pragma clang assume_nonnull begin

// MARK: - Callbacks

/// CVRhsFn, with nullability: writes f(t, y) into `derivative`.
///
/// Returns 0, a positive value when a smaller step may help, or a negative one to stop.
typedef int (*CNDerivativeFunction)(double t, N_Vector state, N_Vector derivative, void *owner);

/// CVRootFn, with nullability: writes the event values into `values`.
typedef int (*CNEventFunction)(double t, N_Vector state, double *values, void *owner);

/// CVLsJacFn, with nullability: writes ∂f/∂y into the dense column-major `jacobian`.
typedef int (*CNJacobianFunction)(double t, N_Vector state, N_Vector derivative,
                                  SUNMatrix jacobian, void *owner, N_Vector scratch1,
                                  N_Vector scratch2, N_Vector scratch3);

/// CVLsJacTimesVecFn, with nullability: writes (∂f/∂y) `direction` into `product`.
typedef int (*CNJacobianVectorFunction)(N_Vector direction, N_Vector product, double t,
                                        N_Vector state, N_Vector derivative, void *owner,
                                        N_Vector scratch);

static inline int CNInitialize(void *integrator, CNDerivativeFunction derivative, double t,
                               N_Vector state) {
  return CVodeInit(integrator, (CVRhsFn)derivative, t, state);
}

static inline int CNSetEvents(void *integrator, int count, CNEventFunction events) {
  return CVodeRootInit(integrator, count, (CVRootFn)events);
}

static inline int CNSetJacobian(void *integrator, CNJacobianFunction jacobian) {
  return CVodeSetJacFn(integrator, (CVLsJacFn)jacobian);
}

static inline int CNSetJacobianVectorProduct(void *integrator, CNJacobianVectorFunction product) {
  return CVodeSetJacTimes(integrator, (CVLsJacTimesSetupFn)0, (CVLsJacTimesVecFn)product);
}

// MARK: - Data behind vectors and matrices

/// The components of a serial vector (the macro NV_DATA_S).
static inline double *CNVectorData(N_Vector vector) { return NV_DATA_S(vector); }

/// The entries of a dense matrix, column after column (the macro SM_DATA_D).
static inline double *CNMatrixData(SUNMatrix matrix) { return SM_DATA_D(matrix); }

// MARK: - Constants

/// No preconditioner; the constant's type differs between versions.
static const int CNNoPreconditioner = SUN_PREC_NONE;

// MARK: - Messages

/// What the library had to say about errors, kept by the integrator instead of printed.
typedef struct CNMessages {
  /// A zero-terminated text; empty when nothing was said.
  char text[1024];
} CNMessages;

/// Forgets the text.
static inline void CNMessagesClear(CNMessages *messages) { messages->text[0] = 0; }

/// The text, zero-terminated, valid until the next call into the library.
static inline const char *CNMessagesText(const CNMessages *messages) { return messages->text; }

// MARK: - What differs between versions

/// Creates a context that stays silent: errors are appended to `messages`, warnings dropped.
///
/// `messages` must live until the context is freed. Returns 0, or an error code; then `context` is
/// null. Libraries of another major version than the headers are refused with code -1.
int CNContextCreate(CNMessages *messages, SUNContext _Nullable *_Nonnull context);

/// CVodeCreate, with errors appended to `messages`.
void *_Nullable CNIntegratorCreate(int method, SUNContext context, CNMessages *messages);

/// Writes the version of the library in use, such as "6.4.1", into `text`.
static inline void CNVersion(char *text, int length) {
  text[0] = 0;
  (void)SUNDIALSGetVersion(text, length);
}

#pragma clang assume_nonnull end

#endif
