// The LAPACK entry points used, with their Fortran calling convention (hidden text lengths last). They are scalar code that
// calls no BLAS kernel but copies, swaps and scalings.
void dstemr_(const char *jobz, const char *range, const int *n, double *d, double *e,
             const double *vl, const double *vu, const int *il, const int *iu, int *m, double *w,
             double *z, const int *ldz, const int *nzc, int *isuppz, int *tryrac, double *work,
             const int *lwork, int *iwork, const int *liwork, int *info, long, long);
void dsteqr_(const char *compz, const int *n, double *d, double *e, double *z, const int *ldz,
             double *work, int *info, long);
