// The few BLAS and LAPACK routines that are called, and what OpenBLAS says of itself.
//
// lapacke.h is not part of Debian's libopenblas-dev; the library exports the Fortran names.

#ifndef GRADFLOW_LAPACK_SHIM_H
#define GRADFLOW_LAPACK_SHIM_H

/// Eigenvalues (jobz 'N'), or also eigenvectors ('V'), of a real symmetric matrix.
void dsyev_(const char *_Nonnull jobz, const char *_Nonnull uplo, const int *_Nonnull n,
            double *_Nonnull a, const int *_Nonnull lda, double *_Nonnull w,
            double *_Nonnull work, const int *_Nonnull lwork, int *_Nonnull info);

/// C = alpha A B + beta C for column-major matrices, each of A and B as it is ('N') or transposed
/// ('T').
void dgemm_(const char *_Nonnull transa, const char *_Nonnull transb, const int *_Nonnull m,
            const int *_Nonnull n, const int *_Nonnull k, const double *_Nonnull alpha,
            const double *_Nonnull a, const int *_Nonnull lda, const double *_Nonnull b,
            const int *_Nonnull ldb, const double *_Nonnull beta, double *_Nonnull c,
            const int *_Nonnull ldc);

/// Eigenvalues (jobvl, jobvr 'N') of a real square matrix.
void dgeev_(const char *_Nonnull jobvl, const char *_Nonnull jobvr, const int *_Nonnull n,
            double *_Nonnull a, const int *_Nonnull lda, double *_Nonnull wr,
            double *_Nonnull wi, double *_Nullable vl, const int *_Nonnull ldvl,
            double *_Nullable vr, const int *_Nonnull ldvr, double *_Nonnull work,
            const int *_Nonnull lwork, int *_Nonnull info);

/// Version and build options of OpenBLAS, for instance "OpenBLAS 0.3.21 NO_LAPACKE ...".
char *_Nonnull openblas_get_config(void);

/// Name of the processor OpenBLAS chose its kernels for, for instance "Haswell".
char *_Nonnull openblas_get_corename(void);

/// Threads that OpenBLAS may use by itself.
void openblas_set_num_threads(int count);

#endif
