# The app with the shipped checkpoints, on processors alone: docs/deploy.md.
#   docker build -t robustnli .
#   docker run --rm -p 8501:8501 -v robustnli-data:/data robustnli
FROM python:3.11-slim-bookworm

ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ROBUSTNLI_HOME=/data

# The user id that Hugging Face Spaces run as.
RUN useradd --create-home --uid 1000 robustnli \
    && install --directory --owner=robustnli /data

WORKDIR /app

# Torch's build for processors, without gigabytes of CUDA; everything else in the versions of the lock. A change of the code installs none of it anew.
COPY requirements.txt requirements.lock ./
RUN pip install --no-deps --index-url https://download.pytorch.org/whl/cpu "$(grep '^torch==' requirements.txt)" \
    && pip install --requirement requirements.txt --constraint requirements.lock

COPY . .
RUN pip install --no-deps --editable .

USER robustnli
VOLUME /data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["robustnli", "app", "--address", "0.0.0.0", "--port", "8501"]
