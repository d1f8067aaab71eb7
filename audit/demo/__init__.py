"""A whole repository and a hospital of real DICOM nodes on one machine."""
